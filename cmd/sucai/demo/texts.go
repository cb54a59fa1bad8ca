package demo

func gettingStarted() []Article {
	return []Article{{
		Title: "一份自己的素材库：sucai 上手小记", Author: "素材馆", Cover: mediaID("seal.png"), ShowCoverPic: true,
		Digest:           "sucai 是可以自己架设的永久素材服务，接口与公众号一致。这一篇讲它是什么、怎么启动，又怎么取回第一张图片。",
		ContentSourceURL: "https://example.com/sucai/getting-started",
		Content: article("rgb(194, 59, 43)", func(e *editor) {
			e.text(
				"做公众号开发的人，多半都有过这样的时刻：代码写好了，想试一试取素材的接口，手边却没有一个能随便折腾的账号；或者账号有了，又不敢拿正式的素材库来练手。",
				"<strong>sucai</strong>（读作“素材”）就是为这样的时刻准备的。它是一个单独的程序，装在自己的机器上，说的是公众号的那一套话：同样的路径，同样的参数，同样的返回。平时用惯了的 SDK 只要换一个域名，就可以照常工作。",
			)
			e.figure("seal.png", "“素材”二字，刻作一方朱印")
			e.heading("库里放的是什么")
			e.text("永久素材一共有这么几种。上传之后各有一个 media_id，从此取用都凭它。")
			e.table(
				[]string{"类型", "是什么", "格式", "大小"},
				[]string{"image", "图片", "bmp、png、jpeg、jpg、gif", "10 MB"},
				[]string{"voice", "语音，不超过六十秒", "mp3、wma、wav、amr", "2 MB"},
				[]string{"video", "视频，带标题和简介", "mp4", "10 MB"},
				[]string{"thumb", "封面用的缩略图", "jpg", "64 KB"},
				[]string{"news", "图文，一到八篇文章", "JSON", "正文少于两万字"},
			)
			e.heading("三步启动")
			e.steps(
				"启动服务，顺便装上演示用的素材（您现在读的这一篇就在其中）；",
				"记下账号的 appid 和 secret；想另开一个空的账号，用下面第二条命令，secret 只显示这一次；",
				"把 SDK 里的域名换成自己的地址。",
			)
			e.code("sucai serve --demo\nsucai account add")
			e.text("数据都在一个目录里，备份时带上它就好。")
			e.heading("取回第一张图片")
			e.text("先换一个 access_token，再凭 media_id 取素材。演示库里特意留了一张图，编号就是文档例子里的那一个，所以例子可以照抄：")
			e.code("curl \"http://127.0.0.1:8080/cgi-bin/material/get_material?access_token=ACCESS_TOKEN\" \\\n  -d '{\"media_id\":\"61224425\"}' > moon.png")
			e.figure(picked, "取回来的应当是这一张：月出东山")
			e.text("图片和语音直接返回文件本身；视频返回标题、简介和下载地址；图文返回一组文章。要看全部素材，用 batchget_material 按类型翻页，一页最多二十条，新的在前。")
			e.quote("一个小提醒：只有单图文才有摘要，多图文的摘要一律是空的。这一篇是单图文，所以您在列表里看得到它的摘要；别的几组就看不到了。")
			e.figure("画轴.jpeg", "素材收好了，就像画挂在墙上，随时可以看")
			e.closing("素材馆 记")
		}),
	}}
}

func teaAndGarden() []Article {
	const green = "rgb(63, 127, 74)"
	return []Article{
		{
			Title: "茶山一日", Author: "山里人家", Cover: mediaID("茶山.png"), ShowCoverPic: true,
			ContentSourceURL: "https://example.com/tea/a-day-on-the-hill",
			Content: article(green, func(e *editor) {
				e.text(
					"清明前后的茶山，天不亮就有人声。雾还压在半山腰，采茶的人已经挎着竹篓上来了，斗笠一顶一顶，浮在茶垄之间，像开得特别大的花。",
					"采茶要趁早。露水将干未干的时候，芽头最嫩，掐下来“嗒”的一声，脆得很。讲究的只要一芽一叶，指甲不能碰，全靠指腹往上一提。手快的师傅一个上午能采三斤鲜叶，做成干茶，也不过六七两。",
				)
				e.figure("茶山.png", "雾散了一半，茶垄一行一行露出来")
				e.heading("从叶子到茶")
				e.steps(
					"<strong>摊青</strong>：鲜叶薄薄地铺在竹匾上，晾四五个钟头，走掉一部分水汽和青草气。",
					"<strong>杀青</strong>：铁锅烧到发烫，叶子下去，双手不停地抖、捂、翻。青味退了，香气才出得来。",
					"<strong>揉捻</strong>：趁着余温揉成条，让茶汁附在叶面上，日后冲泡才有滋味。",
					"<strong>烘干</strong>：炭火要文，分两回烘，中间摊凉一次。急不得，一急就有烟火味。",
				)
				e.text("到了傍晚，第一锅茶出来了。主人抓一撮放进碗里，提壶便冲，水汽带着豆花一样的香扑上来。一天的辛苦，都在这一口里。")
				e.quote("采的是一个早晨，喝的是一座春山。")
				e.closing("山里人家 记于谷雨前")
			}),
		},
		{
			Title: "一杯茶的水温", Author: "山里人家", Cover: mediaID("茶碗.png"), ShowCoverPic: true,
			ContentSourceURL: "https://example.com/tea/water",
			Content: article(green, func(e *editor) {
				e.text("常有人问：一样的茶叶，为什么在茶铺里喝着鲜，拿回家泡就又苦又涩？多半是水太烫了，或者泡得太久了。茶叶有老有嫩，脾气不同，水温也要跟着变。")
				e.figure("茶碗.png", "青瓷碗里，茶叶慢慢沉下去")
				e.table(
					[]string{"茶", "水温", "头一泡", "可泡"},
					[]string{"绿茶", "80–85 ℃", "一分钟", "三次"},
					[]string{"白茶", "90 ℃", "半分钟", "五次"},
					[]string{"乌龙", "95–100 ℃", "十五秒", "七次"},
					[]string{"红茶", "90–95 ℃", "十秒", "六次"},
					[]string{"熟普洱", "100 ℃", "先洗一遍，再泡十秒", "十次以上"},
				)
				e.text(
					"家里没有温度计也不要紧。水刚滚，是一百度；揭开壶盖，静等三分钟，大约九十度；再等三分钟，就可以泡绿茶了。",
					"至于壶，紫砂保温，宜泡乌龙和普洱；绿茶怕闷，用敞口的碗或玻璃杯更好。",
				)
				e.figure("teapot.jpg", "一把紫砂壶，两只小杯，刚好是两个人说话的工夫")
				e.quote("水、火、时间，三样都对了，茶自己会好喝。")
				e.closing("慢慢喝")
			}),
		},
		{
			Title: "半亩菜园", Author: "种菜的人", Cover: mediaID("kitchen-garden.png"), ShowCoverPic: false,
			ContentSourceURL: "https://example.com/garden/half-an-acre",
			Content: article("rgb(138, 106, 52)", func(e *editor) {
				e.text("屋前有半亩地，原来长满了草。前年春天翻出来，捡了三筐石头，起了五条垄，从此一年四季，桌上总有一样菜是自己种的。")
				e.figure("kitchen-garden.png", "从篱笆往外数：葱、番茄、胡萝卜、卷心菜、南瓜")
				e.heading("一年的安排")
				e.table(
					[]string{"月份", "种什么", "收什么"},
					[]string{"三、四月", "番茄、南瓜育苗，点豆", "韭菜头一茬，最香"},
					[]string{"五、六月", "移栽，搭架，补种葱", "蚕豆、莴笋"},
					[]string{"七、八月", "播胡萝卜和卷心菜", "番茄、黄瓜，吃不完的送邻居"},
					[]string{"九、十月", "种蒜，种菠菜", "南瓜、红薯"},
					[]string{"冬天", "歇地，积肥", "霜打过的青菜，甜"},
				)
				e.heading("三条教训")
				e.text(
					"<strong>不要贪多。</strong>头一年种了十四样，忙得团团转，结果样样都瘦。五样正好，看得过来。",
					"<strong>水要浇透，不要浇勤。</strong>天天洒一点，根都浮在面上，太阳一晒就蔫。",
					"<strong>留一点给虫子。</strong>菜叶上有几个洞，说明可以放心吃。",
				)
				e.quote("地是最讲道理的：你哄它一时，它哄你一季。")
				e.closing("种菜的人，手上还有泥")
			}),
		},
	}
}

func scholarsDesk() []Article {
	const ink = "rgb(31, 100, 134)"
	return []Article{
		{
			Title: "墨：一缕烟的去处", Author: "文房闲人", Cover: mediaID("文房.jpeg"), ShowCoverPic: true,
			ContentSourceURL: "https://example.com/desk/ink",
			Content: article(ink, func(e *editor) {
				e.text(
					"墨是烟做的。松枝或者桐油点起火来，上面罩一只碗，烟往上走，碰到碗底就停住，积成薄薄一层黑绒，用鹅毛轻轻扫下来，这就是墨的骨头。",
					"松烟颜色沉，宜写字；油烟有光泽，宜作画。一盏油灯烧一天，扫下来的烟还装不满一只酒杯。",
				)
				e.figure("文房.jpeg", "砚里磨出来的黑，比瓶里倒出来的活")
				e.heading("和胶，捶打，晾干")
				e.text(
					"烟本身是散的，要用胶来收。牛皮胶化开，趁热拌进烟里，揉成面团一样，再上砧去捶。老师傅说“轻胶十万杵”，数目当然是夸张，捶得越久墨越细，却是真的。",
					"捶好的墨压进木模，印上字画，取出来放在石灰上慢慢收干。一锭二两重的墨，要晾半年，其间天天翻身，不能吹风，也不能见太阳。",
				)
				e.quote("磨墨的时候，手要轻，心要慢。急着写字的人，磨不出好墨。")
				e.text("写完了字，记得把砚洗净。宿墨留在砚里，第二天便发臭发滞，好砚也要给糟蹋了。")
				e.closing("文房四记之一")
			}),
		},
		{
			Title: "纸：水里捞起的一张云", Author: "文房闲人", Cover: mediaID("画轴.jpeg"), ShowCoverPic: true,
			ContentSourceURL: "https://example.com/desk/paper",
			Content: article(ink, func(e *editor) {
				e.text("造纸的道理并不复杂：把植物的纤维打散在水里，再用帘子捞起来。难的是，捞起来的每一张都要一样厚。")
				e.heading("一张宣纸的路")
				e.steps(
					"<strong>选料</strong>：青檀树的枝皮，配上沙田里的稻草。皮多则韧，草多则柔。",
					"<strong>蒸煮</strong>：浸泡，蒸透，去掉杂质。",
					"<strong>晒白</strong>：摊在向阳的山坡上，雨淋日晒，大半年才白。",
					"<strong>打浆</strong>：捶碎、洗净，化进一池清水里，看上去像淡淡的米汤。",
					"<strong>捞纸</strong>：两个人抬一张竹帘，一荡一掀，水从缝里漏下去，帘上便留住一层云。",
					"<strong>烘焙</strong>：一张张刷在火墙上，片刻就干，揭下来，对着光看一看。",
				)
				e.figure("画轴.jpeg", "纸养得好，画就住得久")
				e.text(
					"捞纸全凭手感。帘子斜一点，纸就一头厚一头薄；停一瞬，又厚了半分。做这一行的师傅，双手一年到头泡在水里，冬天也不例外。",
					"新纸火气重，墨下去容易洇。讲究的人买回来先放上几年，等它静下来再用。",
				)
				e.quote("好纸不说话，可是你落的每一笔，它都记得。")
				e.closing("文房四记之二")
			}),
		},
		{
			Title: "笔：千毫里拣一毫", Author: "文房闲人", Cover: mediaID("兰草.png"), ShowCoverPic: false,
			ContentSourceURL: "https://example.com/desk/brush",
			Content: article(ink, func(e *editor) {
				e.text("一支毛笔，笔杆只占一分工夫，另外九分都在那一小撮毛上。做笔的人坐在水盆前，把毛一根一根地理齐、挑选，锋断了的不要，弯的不要，粗细不匀的也不要，一天做下来，眼睛比手还累。")
				e.table(
					[]string{"笔", "用什么毛", "性子", "宜于"},
					[]string{"羊毫", "山羊", "软，吃墨多", "大字，渲染"},
					[]string{"狼毫", "黄鼠狼尾", "挺，有弹性", "行草，勾线"},
					[]string{"紫毫", "野兔脊背", "硬，锋利", "小楷"},
					[]string{"兼毫", "软硬相配", "刚柔之间", "初学"},
				)
				e.text("老话说好笔有四样：尖、齐、圆、健。笔锋收拢能尖，压平了能齐，笔肚饱满是圆，提起来能弹回去，便是健。买笔的时候在清水里润开，照这四样看一遍，大致不会错。")
				e.figure("兰草.png", "画兰叶最见笔力：一笔出去，中间不能停")
				e.text("新笔用温水化开，写完要洗到水清，理好锋，笔头朝下挂起来。这样养着，一支笔能陪人许多年。")
				e.closing("文房四记之三")
			}),
		},
		{
			Title: "砚：一方石头的耐心", Author: "文房闲人", Cover: mediaID("青绿山水.jpeg"), ShowCoverPic: false,
			ContentSourceURL: "https://example.com/desk/inkstone",
			Content: article(ink, func(e *editor) {
				e.text(
					"四样东西里，砚是最长寿的。墨会磨尽，纸会用完，笔会秃，只有砚，一代人用了，下一代人接着用，越用越润。",
					"好砚要看三样：一是<strong>发墨</strong>，磨起来不打滑，墨出得又快又细；二是<strong>不损毫</strong>，摸上去像小孩子的脸；三是<strong>养墨</strong>，隔一夜，池里的水还没有干。",
				)
				e.heading("开一方砚")
				e.text("石头从坑里采出来，先看纹理，再定形状。有经验的匠人不急着下刀，把石头放在案头看上几天，看它哪里像云，哪里像水，顺着它的意思去雕。瑕疵未必要去掉，遇上石眼，就雕成月亮；遇上水线，就雕成远山。")
				e.figure("青绿山水.jpeg", "好石头的纹理，有时就是一卷山水")
				e.quote("石头等了几千万年才遇见你，你多看它几天，不算久。")
				e.text("用砚也有规矩：不用滚水，不蓄隔夜的墨，不拿硬物去刮。洗的时候用丝瓜络或者旧棉布，清水冲净，自然晾干。这样的砚，传三代不成问题。")
				e.closing("文房四记之四，完")
			}),
		},
	}
}

// season is one of the eight articles on the year's turning points.
func season(title, cover, accent, slug string, write func(e *editor)) Article {
	return Article{
		Title: title, Author: "四时小记", Cover: mediaID(cover), ShowCoverPic: true,
		ContentSourceURL: "https://example.com/seasons/" + slug, Content: article(accent, write),
	}
}

func eightSeasons() []Article {
	const spring, summer, autumn, winter = "rgb(86, 140, 112)", "rgb(31, 122, 120)", "rgb(192, 96, 44)", "rgb(74, 92, 146)"
	return []Article{
		season("立春：风先软了", "寒梅.jpeg", spring, "lichun", func(e *editor) {
			e.text(
				"立春在二月初，论天气还是冬天。河上的冰没有化尽，早晚出门仍要缩着脖子。可是有一样东西不同了：风。前几天还像刀子，忽然有一个下午，吹在脸上只是凉，不再疼了。",
				"古人把立春之后的十五天分作三段，说先是风来解冻，接着地下的虫子翻身，最后水里的鱼游到冰面底下，背上好像还驮着冰。他们没有温度计，却看得这样细。",
			)
			e.figure("寒梅.jpeg", "雪还在枝上，梅花不等了")
			e.quote("春天不是一下子来的，它先派了风来问路。")
			e.text("这一天北方吃春饼，薄薄一张，卷上豆芽、韭黄、肉丝，从头咬到尾，叫作“咬春”。南方的人家则把萝卜切成丝，讲究的是那一口脆。")
			e.table(
				[]string{"四时八节", "大约在", "这一天"},
				[]string{"立春、春分", "二月四日、三月二十日", "春天开门，昼夜平分"},
				[]string{"立夏、夏至", "五月五日、六月二十一日", "夏天开门，白天最长"},
				[]string{"立秋、秋分", "八月七日、九月二十三日", "秋天开门，昼夜平分"},
				[]string{"立冬、冬至", "十一月七日、十二月二十二日", "冬天开门，夜晚最长"},
			)
			e.closing("八节之一")
		}),
		season("春分：一半一半", "春山.png", spring, "chunfen", func(e *editor) {
			e.text("春分这一天，太阳走到赤道的正上方，白天和黑夜一样长。小孩子喜欢在这天竖鸡蛋，说是容易站住。其实哪天都可以站住，只要手稳、心静、桌子平。不过，为了一件没有用的事情认真半个钟头，本来就是春天才有的闲心。")
			e.figure("春山.png", "近处的花开了，远处的山还是淡的")
			e.text("田里已经忙起来了。麦子返青，油菜起薹，农人看天色比看钟还勤。燕子也回来了，绕着屋檐飞两圈，认一认去年的旧巢还在不在。")
			e.figure("石桥.png", "桥边的柳树，一天一个颜色")
			e.quote("昼夜对分，寒暑对分。人若也能把忙和闲对分一下，就好了。")
			e.closing("八节之二")
		}),
		season("立夏：称一称人", "牡丹.jpeg", summer, "lixia", func(e *editor) {
			e.text(
				"立夏有个有趣的风俗：称人。村口的大树上挂一杆大秤，秤钩上吊一只箩筐，老人小孩轮流坐进去，看看过了一个春天，是胖了还是瘦了。司秤的人嘴甜，报数只往大里报，称到老人，便说又重了，是福气压秤。",
				"小孩子胸前还要挂一只蛋，装在五彩线编的网兜里，互相碰，碰破了就吃掉。一条巷子里，到处是“啪”的一声，然后是笑。",
			)
			e.figure("牡丹.jpeg", "牡丹开到最后几天，干脆不管不顾了")
			e.text("这时候樱桃红了，青梅还酸，蚕豆最嫩，连皮一起煮，撒一点盐就够。")
			e.quote("春天是看的，夏天是吃的。")
			e.closing("八节之三")
		}),
		season("夏至：最长的一天", "荷塘.png", summer, "xiazhi", func(e *editor) {
			e.text(
				"夏至的白天是一年里最长的。傍晚七点多，天还亮着，蝉还没有歇，纳凉的竹床已经搬到了院子里。西瓜浸在井水中，要吃的时候捞起来，刀尖刚碰到皮，自己就裂开了。",
				"古人说这时候鹿角脱落、蝉始鸣、半夏生。半夏是一种草，长在夏天的一半上，因此得名。",
			)
			e.figure("荷塘.png", "荷花早晨开得最好，去晚了就合上了")
			e.text("入夜有萤火。稻田边、荷塘边，一点一点浮起来，忽明忽灭，像有人提着很小的灯笼在找东西。")
			e.figure("萤火.gif", "不要去捉，看着就好")
			e.quote("白天长到尽头，就该一寸一寸地还给夜晚了。")
			e.closing("八节之四")
		}),
		season("立秋：一片叶子", "folding-fan.jpg", autumn, "liqiu", func(e *editor) {
			e.text(
				"立秋的时候，暑气正盛，蒲扇折扇都还离不了手。但是早晨醒来，忽然觉得席子有一点凉。推开门，院子里的梧桐落了一片叶子，只有一片，端端正正躺在石板上。",
				"老话说早上立了秋，晚上凉飕飕。真正的凉当然还要等一等，俗称“秋老虎”的热还有半个多月，不过它已经是强弩之末，早晚都拦不住风了。",
			)
			e.figure("folding-fan.jpg", "扇子还在用，扇面上的山却像是秋天的了")
			e.text("乡下这时要“晒秋”。辣椒、玉米、柿子、南瓜，用竹匾盛着，摆满屋顶和窗台，红一块黄一块，比画还要热闹。")
			e.figure("梯田.jpeg", "稻子还要再黄一黄")
			e.quote("知道秋天来了的，第一是叶子，第二是皮肤，第三才是日历。")
			e.closing("八节之五")
		}),
		season("秋分：月亮的日子", "秋山夕照.jpeg", autumn, "qiufen", func(e *editor) {
			e.text(
				"秋分同春分一样，昼夜等长。只是春分之后天天变暖，秋分之后天天变凉，同样的刻度，走的方向正好相反。",
				"秋分原是祭月的日子，后来因为这一天未必有圆月，才挪到了中秋。月饼、桂花、石榴、芋头，一样一样摆出来，等月亮从东边的山后面升起。",
			)
			e.figure("秋山夕照.jpeg", "太阳刚下去，月亮还没有上来，这一会儿最静")
			e.text("这个时节的螃蟹最肥，菊花也开了。一壶温过的黄酒，几片姜，坐在窗前，听见远处有雁叫。")
			e.figure("秋菊.jpeg", "菊花不怕凉，越凉越精神")
			e.quote("一年的好处，春天在早晨，秋天在黄昏。")
			e.closing("八节之六")
		}),
		season("立冬：把门关好", "红墙.png", winter, "lidong", func(e *editor) {
			e.text("冬，就是终了的意思。庄稼收完了，农具洗净挂上墙，白菜一棵一棵码进地窖，萝卜埋在沙里。城里人没有地窖，也要买几棵白菜放在阳台上，好像不这样就不能安心过冬。")
			e.figure("红墙.png", "银杏落尽之前，有几天黄得不像话")
			e.text(
				"北方立冬吃饺子，南方有的地方吃糍粑，有的地方炖一锅羊肉，一家人围着，玻璃窗上慢慢起了雾。孩子伸出手指，在雾上画一座房子，再画一个太阳。",
				"树的叶子落光了，枝条的样子才看得清楚。只有松树不动声色，绿了一夏，又绿一冬。",
			)
			e.figure("古松.png", "天越冷，越看得出谁站得直")
			e.quote("关门不是冷清，是把暖和留在屋里。")
			e.closing("八节之七")
		}),
		season("冬至：夜最长的时候", "雪岭.png", winter, "dongzhi", func(e *editor) {
			e.text(
				"冬至的夜是一年里最长的。过了这一夜，白天便一点一点长回来，所以古人很看重它，有的地方说“冬至大如年”。",
				"从这天起开始数九。旧时的人家会画一枝素梅，九朵，每朵九瓣，每天染红一瓣，八十一瓣都红了，春天也就到了。冬天这样长，总要有个盼头。",
			)
			e.figure("雪岭.png", "雪落了一夜，天地都不说话")
			e.text("晚上煮一锅汤圆，或者包一顿饺子。屋外下着雪，屋里亮着灯，灯光从窗格里漏出去，在雪地上铺成一小块黄。走夜路的人远远看见，就知道快到家了。")
			e.figure("飞雪.gif", "窗里有灯，路就不远")
			e.quote("最长的夜里，藏着第一寸变长的白天。")
			e.closing("八节之八，又是一年")
		}),
	}
}
